"""How the demo voice is made: from text to the packed weights in `engine/weights/demo/data`."""
