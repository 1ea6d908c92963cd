"""What recipes and encoders are called; known to the command line without importing torch."""

from typing import Literal

RecipeName = Literal["sfa", "predict"]
EncoderName = Literal["stereo_cnn"]
