terraform {
  required_version = ">= 1.5"
}
resource "terraform_data" "network" {
  input = { vpc_id = "vpc-0a1b2c", subnets = ["10.0.1.0/24", "10.0.2.0/24"] }
}
resource "terraform_data" "registry" {
  input = "registry.example/platform"
}
output "vpc_id" { value = terraform_data.network.output.vpc_id }
output "subnets" { value = terraform_data.network.output.subnets }
output "registry" { value = terraform_data.registry.output }
output "replicas" { value = 2 }
output "database" { value = { host = "db.example", port = 5432, tls = true } }
output "zones" { value = toset(["a", "b"]) }
output "labels" { value = tomap({ team = "platform", cost = "42" }) }
output "smtp_password" {
  value     = "s3cr3t-of-smtp"
  sensitive = true
}
