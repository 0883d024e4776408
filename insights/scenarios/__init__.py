"""What happens in six made-up products, each with causes of churn that were planted and are known: data in, events and the truth about them out."""
