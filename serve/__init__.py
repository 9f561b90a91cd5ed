"""How to talk to the assistant over a network: the chat page."""
