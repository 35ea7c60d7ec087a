"""Virtual environments of peers: each with the versions it works with, beside the one that alrakis is in."""
