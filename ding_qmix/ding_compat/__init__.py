"""What belongs to DI-engine's formats: its model template, hidden states, checkpoints, and configs of its policies."""
