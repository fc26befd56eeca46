self.version = "{{VERSION}}"; self.files = "{{FILES}}";
