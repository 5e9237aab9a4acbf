package org.sparkdl.image

/** Why the pixels of a picture cannot be had */
package object failures
