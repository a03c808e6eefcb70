"""The API gateway: Envoy's public listener, rendered from contracts and catalog."""
