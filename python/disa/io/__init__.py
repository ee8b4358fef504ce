"""Files and objects of others in and out: images, points, transforms, texts."""
