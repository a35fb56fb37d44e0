"""What a detector costs: multiply-adds, time, memory, widths; and what it finds, in pictures."""
