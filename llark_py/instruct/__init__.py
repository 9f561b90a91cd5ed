"""Facts -> questions, answers, captions and dialogues; records of them; the tokenizer of `mini`."""
