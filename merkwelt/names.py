"""What recipes and encoders are called; known to the command line without importing torch."""

from typing import Literal

RecipeName = Literal[
    "sfa",
    "predict",
    "prednet",
    "prednet_all",
    "cpc",
    "jepa",
    "cross_eye",
    "self_motion",
    "temporal_contrast",
    "temporal_classes",
]
EncoderName = Literal[
    "stereo_cnn",
    "dorsalnet",
    "prednet",
    "prednet_paper",
    "resnet3d",
    "resnet3d_18",
    "resnet2d3d_18",
    "two_pathway",
    "one_pathway",
    "convgru",
    "hgru",
    "hgru_linsley2018",
    "transformer",
    "transformer_small",
    "torchvision_r3d_18",
    "torchvision_mc3_18",
    "torchvision_r2plus1d_18",
    "torchvision_s3d",
    "torchvision_swin3d_t",
    "torchvision_mvit_v2_s",
    "videomae",
    "vjepa2",
]
FrontName = Literal["concatenate", "sum_difference", "disparity_energy", "correlation", "gabor"]
HarmonizerName = Literal[
    "fel2022",
    "research2022",
    "pseudo_clickme",
    "co3d_early",
    "co3d_fel",
    "co3d_default",
    "co3d_contrastive",
]
SaliencyMethodName = Literal["gradient", "smoothgrad", "integrated", "gradcam"]
SaliencyTargetName = Literal[
    "usual", "own_class", "true_class", "prototype", "norm", "centred_norm", "loss"
]
SaliencyChannelName = Literal["usual", "abs-max", "abs-mean", "signed-mean"]
SaliencyBlurName = Literal["usual", "none", "disc", "fel2022", "gaussian"]
