"""The car at night: the queue, the choice of what to send, the ledger, the agent."""
