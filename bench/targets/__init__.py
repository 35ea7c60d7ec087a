"""What is measured: alrakis and its peers, each in a process of its own."""
