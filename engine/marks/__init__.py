"""Chapter marks and covers in audio files, where their format has them."""
