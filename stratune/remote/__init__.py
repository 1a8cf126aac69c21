"""Language models on servers with the OpenAI API: prompted over HTTP, never loaded."""
