"""The device's clock by every way that it shows: one module asks in one way, each with its error bar."""
