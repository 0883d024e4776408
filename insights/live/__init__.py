"""What is: the engine's own state and the open alerts, as of now. What crosses the door is `EngineView` and `Board`; nothing here writes."""
