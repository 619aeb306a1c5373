variable "region" {
  description = "Region of AWS."
  type        = string
}

variable "environment" {
  description = "Name of the deployment: first segment of object keys, and part of all names here."
  type        = string
  default     = "production"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.environment))
    error_message = "Lower-case letters, digits and hyphens, at most 21."
  }
}

variable "bucket" {
  description = "Name of the bucket; unique in all of AWS."
  type        = string
}

variable "images" {
  description = "Images of the API and the worker, with a tag or digest."
  type        = object({ api = string, worker = string })
}

variable "public_url" {
  description = "URL of the API for clients, such as https://photos.example.org; its name points to the load balancer."
  type        = string
}

variable "certificate_arn" {
  description = "Certificate (ACM) for public_url."
  type        = string
}

variable "allowed_origins" {
  description = "Origins whose pages may use the API and the bucket (CORS)."
  type        = list(string)
  default     = []
}

variable "cidr" {
  description = "Addresses of the network."
  type        = string
  default     = "10.40.0.0/16"
}

variable "zones" {
  description = "Number of availability zones."
  type        = number
  default     = 2
}

variable "database" {
  description = "Size of PostgreSQL."
  type = object({
    class      = optional(string, "db.m7g.large")
    storage_gb = optional(number, 100)
    multi_az   = optional(bool, true)
  })
  default = {}
}

variable "api" {
  description = "Size and number of the API's tasks. CPU in units of 1/1024, memory in MiB."
  type = object({
    cpu    = optional(number, 512)
    memory = optional(number, 1024)
    min    = optional(number, 2)
    max    = optional(number, 10)
  })
  default = {}
}

variable "worker" {
  description = "Size and number of the worker's tasks. CPU in units of 1/1024, memory in MiB."
  type = object({
    cpu    = optional(number, 2048)
    memory = optional(number, 4096)
    min    = optional(number, 2)
    max    = optional(number, 20)
  })
  default = {}
}

variable "broker" {
  description = "Amazon MQ for RabbitMQ: publishes domain events and shares upload progress between replicas. Without it both are off; storage events come from SQS in either case."
  type = object({
    enabled = optional(bool, false)
    class   = optional(string, "mq.m5.large")
  })
  default = {}
}

variable "infrequent_access_after_days" {
  description = "Age at which originals move to the storage class STANDARD_IA; null: never."
  type        = number
  default     = 90
}

variable "log_retention_days" {
  description = "Time that logs are kept."
  type        = number
  default     = 30
}

locals {
  name = "rapidphoto-${var.environment}"
}
