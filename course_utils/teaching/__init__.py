"""What a lesson needs around its model: plots, explorers, and the first cell's set-up."""
