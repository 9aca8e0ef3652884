"""What HTML and JSON routes share: who is asking, forms, answers to errors."""
