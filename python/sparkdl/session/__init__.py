"""Spark sessions with sparkdl: started, found and examined, and the door to their JVM."""
