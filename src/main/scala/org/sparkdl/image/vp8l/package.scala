package org.sparkdl.image

/** The pictures of lossless WebP files, and the alpha of lossy ones (RFC 9649, section 3) */
package object vp8l
