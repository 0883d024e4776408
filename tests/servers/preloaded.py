"""Imported once by the process that workers are forked from."""

import aiokafka
import confluent_kafka
import faust
import kafka

import stream.app
import stream.worker
from stream.warm import warm

warm(1)

__all__ = ["aiokafka", "confluent_kafka", "faust", "kafka", "stream"]
