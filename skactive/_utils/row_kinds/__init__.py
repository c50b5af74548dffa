"""Sources of rows by kind of container, each imported with the first object of its library."""
