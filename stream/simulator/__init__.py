"""A made-up product whose leavers are known, to show and to measure the engine on."""
