"""The operators: shapes, parameters, multiply-accumulates, traffic, each as a formula."""

from tradespace.graph.operators._base import AXES as AXES
from tradespace.graph.operators._base import Attribute as Attribute
from tradespace.graph.operators._base import Names as Names
from tradespace.graph.operators._base import Operator as Operator
from tradespace.graph.operators._base import named as named
from tradespace.graph.operators._base import operator as operator
from tradespace.graph.operators._base import operators as operators
from tradespace.graph.operators._base import register as register
