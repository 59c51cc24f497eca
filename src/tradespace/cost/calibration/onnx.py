"""Running networks on ONNX Runtime, as they would be served."""

from __future__ import annotations

from collections.abc import Callable

from tradespace.core.errors import GraphError, InputError
from tradespace.graph.network import Network


class OnnxRunner:
    """ONNX Runtime on the CPU, every optimization on, a fixed number of threads."""

    name = "onnxruntime"

    def __init__(self, *, device: str, number_format: str, threads: int) -> None:
        if device != "cpu":
            msg = f"ONNX Runtime is calibrated on the CPU; got device {device!r}."
            raise InputError(msg, remedy="For an accelerator use --runtime torch --device cuda.")
        if number_format != "fp32":
            msg = f"On a CPU ONNX Runtime computes networks in fp32; got {number_format!r}."
            raise InputError(msg, remedy="Write --format fp32, or use --runtime torch.")
        self.device, self.number_format, self.threads = device, number_format, threads

    def versions(self) -> dict[str, str]:
        """Return the version of the runtime."""
        import onnxruntime

        return {"onnxruntime": str(onnxruntime.__version__)}

    def device_name(self) -> str:
        """Return nothing: the CPU is named elsewhere."""
        return ""

    def prepare(self, network: Network) -> Callable[[], None]:
        """Return what runs a forward pass."""
        import onnxruntime

        from tradespace.graph.writers.onnx import sample_inputs, to_onnx

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        # Random weights can make numbers so small that processors stumble over them.
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        content = to_onnx(network).SerializeToString()
        try:
            session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
            inputs = sample_inputs(network)
            session.run(None, inputs)
        except onnxruntime.capi.onnxruntime_pybind11_state.OrtException as error:
            reason = str(error).splitlines()[0][:200]
            msg = f"ONNX Runtime cannot run {network.name!r}: {reason}"
            raise GraphError(msg, remedy="Hold out another network.") from None

        def run() -> None:
            session.run(None, inputs)

        return run
