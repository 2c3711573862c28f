"""What a lesson needs around its model: plots, exercise checks, and the first cell's set-up."""
