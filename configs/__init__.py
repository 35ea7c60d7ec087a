"""The configs that alrakis ships: one flat TOML file each; nothing inherits."""
