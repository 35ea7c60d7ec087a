"""alrakis: Bark, text to audio, fast on whatever machine you have."""
