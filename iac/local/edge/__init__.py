"""The edge: Envoy as load balancer, CDN and keeper of the journal."""
