"""The assistant: the conversation loop that listens, calls tools, streams and remembers."""
