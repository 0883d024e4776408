"""What have people made? Questions, boards and segments with who made each and which revision it is; records in, records out, in the page's store."""
