"""The networks and the loss by hand for the CPU: forward and backward kernels, and the BLAS below them."""
