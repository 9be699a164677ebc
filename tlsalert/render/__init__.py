"""What people and programs get to see. It shows and decides nothing."""
