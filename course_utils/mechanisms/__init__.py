"""The mechanisms that the course teaches; read `attention` first, then `recurrent`, then `search`."""
