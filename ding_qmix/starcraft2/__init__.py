"""StarCraft II itself: starts games, talks to them, and shows their battles by SMAC's rules."""
