"""The session of Spark: started with the jar, examined, and the door to its JVM."""
