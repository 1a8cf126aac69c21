"""Language models behind a server that speaks the OpenAI protocol: asked, never loaded."""
