"""Splitting a text into chunks that Bark can say, and encoding each as token ids."""
