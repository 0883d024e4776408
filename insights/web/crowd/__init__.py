"""What do the pages of the crowd show: Today, Retention, Journeys, Groups, Features? Rows that analyses found come in, as plain values; views for the templates go out. Pure."""
