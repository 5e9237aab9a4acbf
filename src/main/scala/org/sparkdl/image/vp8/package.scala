package org.sparkdl.image

/** Key frames of VP8, which are the pictures of lossy WebP files (RFC 6386) */
package object vp8
