"""What a user can put right."""


class BadInput(Exception):
    """One sentence that names the input, says what is wrong and what to do."""
