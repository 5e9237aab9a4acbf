package org.sparkdl.image.vp8

/** What coefficients are multiplied with, by the kind of block and for the first coefficient and the others (RFC
  * 6386, section 14.1).
  */
private[vp8] final class Quantizers(index: Int, changes: Quantizers.Changes) {
  import Quantizers._

  val lumaFirst: Int = first(index + changes.lumaFirst)
  val luma: Int = other(index)
  val secondFirst: Int = 2 * first(index + changes.secondFirst)
  val second: Int = math.max(8, other(index + changes.second) * 155 / 100)
  val chromaFirst: Int = math.min(132, first(index + changes.chromaFirst))
  val chroma: Int = other(index + changes.chroma)
}

private[vp8] object Quantizers {

  /** By how much an index differs from that of luma; `second` is the block of luma's first coefficients. */
  final case class Changes(lumaFirst: Int, secondFirst: Int, second: Int, chromaFirst: Int, chroma: Int)

  private def first(index: Int): Int = firsts(limited(index))
  private def other(index: Int): Int = others(limited(index))
  private def limited(index: Int): Int = math.max(0, math.min(127, index))

  private val firsts = Numbers.in("""
      4   5   6   7   8   9  10  10  11  12  13  14  15  16  17  17
     18  19  20  20  21  21  22  22  23  23  24  25  25  26  27  28
     29  30  31  32  33  34  35  36  37  37  38  39  40  41  42  43
     44  45  46  46  47  48  49  50  51  52  53  54  55  56  57  58
     59  60  61  62  63  64  65  66  67  68  69  70  71  72  73  74
     75  76  76  77  78  79  80  81  82  83  84  85  86  87  88  89
     91  93  95  96  98 100 101 102 104 106 108 110 112 114 116 118
    122 124 126 128 130 132 134 136 138 140 143 145 148 151 154 157
  """)

  private val others = Numbers.in("""
      4   5   6   7   8   9  10  11  12  13  14  15  16  17  18  19
     20  21  22  23  24  25  26  27  28  29  30  31  32  33  34  35
     36  37  38  39  40  41  42  43  44  45  46  47  48  49  50  51
     52  53  54  55  56  57  58  60  62  64  66  68  70  72  74  76
     78  80  82  84  86  88  90  92  94  96  98 100 102 104 106 108
    110 112 114 116 119 122 125 128 131 134 137 140 143 146 149 152
    155 158 161 164 167 170 173 177 181 185 189 193 197 201 205 209
    213 217 221 225 229 234 239 245 249 254 259 264 269 274 279 284
  """)
}
