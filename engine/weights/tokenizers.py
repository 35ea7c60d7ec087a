"""A tokenizer from whatever file there is."""

from pathlib import Path

from alrakis.weights.types import TextEncoder


def bert_tokenizer(path: Path) -> TextEncoder:
    """Bark's tokenizer, cased, from a `vocab.txt` or a `tokenizer.json`. Raises WeightsError."""
    from alrakis.text import BertEncoder  # text is above weights: it is imported when used

    if path.suffix == ".json":
        return BertEncoder.from_tokenizer_json(path)
    return BertEncoder.from_file(path, lowercase=False)
