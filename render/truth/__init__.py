"""What a clip can carry besides colour and depth: flow, disparity, masks, ids, confidence."""
