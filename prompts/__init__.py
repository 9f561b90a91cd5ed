"""Every word we say to a model, as text: prompts, chat templates and the grammar's phrasings."""
