"""`disa.ImageRegistrationMethod`, SimpleITK's class with one more metric."""
