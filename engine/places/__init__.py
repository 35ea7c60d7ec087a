"""Where things are: folders by the environment as it is now, and the model hub."""
