"""What a study found: results, statistics, verdict, tables, plots, page. It reads files alone."""
