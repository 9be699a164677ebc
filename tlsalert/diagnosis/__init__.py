"""Why a handshake ended as it did: clocks, stages, causes. Everything here reads only the model."""
